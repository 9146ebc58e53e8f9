"""How each leg of a call sounded."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from telephony.models.calls import CallLeg


class LegQuality(models.Model):
    """What Telnyx measured of a leg when it ended, and the worst that its browser said while it was up."""

    leg = models.OneToOneField(
        CallLeg, on_delete=models.CASCADE, primary_key=True, related_name="quality", verbose_name=_("leg")
    )
    telnyx_mos = models.FloatField(_("MOS by Telnyx"), null=True, blank=True)
    telnyx_jitter_ms = models.FloatField(_("jitter by Telnyx (ms)"), null=True, blank=True)
    telnyx_packets = models.BigIntegerField(_("packets that arrived"), null=True, blank=True)
    telnyx_lost = models.BigIntegerField(_("packets that did not arrive"), null=True, blank=True)
    mos = models.FloatField(_("lowest MOS by the browser"), null=True, blank=True)
    jitter_ms = models.FloatField(_("highest jitter by the browser (ms)"), null=True, blank=True)
    rtt_ms = models.FloatField(_("longest round trip (ms)"), null=True, blank=True)
    loss_percent = models.FloatField(_("highest loss (%)"), null=True, blank=True)
    #: ``[{"code": "31003", "at": …}, …]`` of the SDK, oldest first.
    warnings = models.JSONField(_("warnings"), default=list)
    reports = models.PositiveSmallIntegerField(_("reports of the browser"), default=0)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("sound of a leg")
        verbose_name_plural = _("sound of legs")

    def __str__(self) -> str:
        return f"{self.leg_id}: {self.telnyx_mos or self.mos or ''}"
