"""Names of holidays in Spanish, for countries whose holidays the package ``holidays`` knows in English only. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

SPANISH: Final[Mapping[str, str]] = {
    "All Saints' Day": "Día de Todos los Santos",
    "All Souls' Day": "Día de los Difuntos",
    "Ascension Day": "Ascensión del Señor",
    "Assumption Day": "Asunción de la Virgen",
    "Boxing Day": "Día de San Esteban",
    "Canada Day": "Día de Canadá",
    "Carnival": "Carnaval",
    "Cesar Chavez Day": "Día de César Chávez",
    "Christmas Day": "Navidad",
    "Christmas Eve": "Nochebuena",
    "Christmas Second Day": "Segundo día de Navidad",
    "Columbus Day": "Día de Colón",
    "Constitution Day": "Día de la Constitución",
    "Corpus Christi": "Corpus Christi",
    "Day After Christmas": "Día después de Navidad",
    "Day After Thanksgiving": "Día después de Acción de Gracias",
    "Easter Monday": "Lunes de Pascua",
    "Easter Saturday": "Sábado Santo",
    "Easter Sunday": "Domingo de Pascua",
    "Election Day": "Día de las elecciones",
    "Emancipation Day": "Día de la Emancipación",
    "Epiphany": "Día de Reyes",
    "Family Day": "Día de la Familia",
    "Freedom Day": "Día de la Libertad",
    "Friday After Thanksgiving": "Viernes después de Acción de Gracias",
    # Puerto Rico: one day, three names.
    (
        "George Washington Day, Presidents' Day, and the Day of the Women and Men Heroes of Puerto Rico"
    ): "Día de los Presidentes y de los Próceres de Puerto Rico",
    "German Unity Day": "Día de la Unidad Alemana",
    "Good Friday": "Viernes Santo",
    "Holy Saturday": "Sábado Santo",
    "Holy Thursday": "Jueves Santo",
    "Immaculate Conception": "Inmaculada Concepción",
    "Independence Day": "Día de la Independencia",
    "Indigenous Peoples' Day": "Día de los Pueblos Indígenas",
    "Juneteenth National Independence Day": "Juneteenth: día de la emancipación",
    "King's Day": "Día del Rey",
    "Labor Day": "Día del Trabajo",
    "Labour Day": "Día del Trabajo",
    "Liberation Day": "Día de la Liberación",
    "Lincoln's Birthday": "Natalicio de Lincoln",
    "Mardi Gras": "Martes de Carnaval",
    "Martin Luther King Jr. Day": "Día de Martin Luther King",
    "Maundy Thursday": "Jueves Santo",
    "May Day": "Día del Trabajo",
    "Memorial Day": "Día de los Caídos",
    "National Day": "Fiesta Nacional",
    "New Year's Day": "Año Nuevo",
    "New Year's Eve": "Nochevieja",
    "Patriots' Day": "Día de los Patriotas",
    "Pentecost": "Pentecostés",
    "Pentecost Monday": "Lunes de Pentecostés",
    "Pioneer Day": "Día de los Pioneros",
    "President's Day": "Día de los Presidentes",
    "Presidents Day": "Día de los Presidentes",
    "Presidents' Day": "Día de los Presidentes",
    "Puerto Rican Identity Day": "Día de la Identidad Puertorriqueña",
    "Puerto Rico Constitution Day": "Día de la Constitución de Puerto Rico",
    "Reformation Day": "Día de la Reforma",
    "Republic Day": "Día de la República",
    "Saint Patrick's Day": "Día de San Patricio",
    "Saint Stephen's Day": "Día de San Esteban",
    "Second Day of Christmas": "Segundo día de Navidad",
    "Susan B. Anthony Day": "Día de Susan B. Anthony",
    "Texas Independence Day": "Día de la Independencia de Texas",
    "Thanksgiving": "Día de Acción de Gracias",
    "Thanksgiving Day": "Día de Acción de Gracias",
    "Three Kings Day": "Día de Reyes",
    "Veterans Day": "Día de los Veteranos",
    "Victoria Day": "Día de la Reina Victoria",
    "Victory Day": "Día de la Victoria",
    "Washington's Birthday": "Natalicio de Washington",
    "Whit Monday": "Lunes de Pentecostés",
    "Worker's Day": "Día del Trabajo",
    "Workers' Day": "Día del Trabajo",
}

#: A holiday that falls on a free day is kept on another.
_OBSERVED: Final = re.compile(r" \((?:substitute|observed)\)$", re.IGNORECASE)


def in_spanish(name: str) -> str:
    """Return the name in Spanish, part by part (``A; B``); what nobody translated stays as it is."""
    return "; ".join(_one(part) for part in name.split("; "))


def _one(name: str) -> str:
    plain = _OBSERVED.sub("", name)
    known = SPANISH.get(plain, plain)
    return known if plain == name else f"{known} (trasladado)"
