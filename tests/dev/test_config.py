from __future__ import annotations

from pathlib import Path

import pytest

from curbe.dev import config
from curbe.dev.errors import UnableToStart


def test_an_empty_environment_gives_the_defaults_of_the_contract() -> None:
    chosen = config.read({})

    assert chosen.ports == {"PORT": 8000, "LIVE_PORT": 8001, "SANDBOX_PORT": 8002}
    assert (chosen.data, chosen.host) == (config.ROOT / ".data", "127.0.0.1")


def test_make_exports_unset_variables_as_empty_words_which_count_as_unset() -> None:
    assert config.read({"PORT": "", "CURBE_DATA": "", "HOST": ""}) == config.read({})


@pytest.mark.parametrize(
    "environ, named",
    [
        ({"PORT": "http"}, "PORT='http'"),
        ({"LIVE_PORT": "0"}, "LIVE_PORT='0'"),
        ({"SANDBOX_PORT": "65536"}, "SANDBOX_PORT='65536'"),
        ({"PORT": "８０００"}, "PORT="),
        ({"PORT": "8001"}, "three different numbers"),
    ],
)
def test_a_port_that_makes_no_sense_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(UnableToStart, match=named):
        config.read(environ)


def test_a_relative_data_folder_lies_in_the_checkout_wherever_the_command_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert config.read({"CURBE_DATA": "two"}).data == config.ROOT / "two"
    assert config.read({"CURBE_DATA": str(tmp_path / "two")}).data == (tmp_path / "two").resolve()


def test_a_dotenv_file_adds_to_the_environment_and_never_overrides_it(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# PORT=1\nexport PORT=9000\nLIVE_PORT='9001'\nSECRET_KEY=a=b#c\n\nnonsense\n", encoding="utf-8")

    merged = config.environment({"PORT": "7000"}, dotenv=dotenv)

    assert merged == {"PORT": "7000", "LIVE_PORT": "9001", "SECRET_KEY": "a=b#c"}


def test_the_tests_can_ask_for_the_dotenv_file_to_be_ignored(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=9000\n", encoding="utf-8")

    assert "PORT" not in config.environment({"CURBE_IGNORE_DOTENV": "1"}, dotenv=dotenv)
