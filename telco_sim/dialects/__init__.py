"""The USSD gateways that the telco can play, by name: one file and one line here for each."""

from __future__ import annotations

from telco_sim.dialects.africastalking import AfricasTalking
from telco_sim.dialects.airtel import Airtel
from telco_sim.dialects.arkesel import Arkesel
from telco_sim.dialects.beem import Beem
from telco_sim.dialects.dialect import Dialect
from telco_sim.dialects.hubtel import Hubtel
from telco_sim.dialects.infobip import Infobip
from telco_sim.dialects.mtn import Mtn
from telco_sim.dialects.nalo import Nalo
from telco_sim.dialects.safaricom import Safaricom

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (AfricasTalking(), Hubtel(), Nalo(), Arkesel(), Beem(), Infobip(), Mtn(), Safaricom(), Airtel())
}
