"""A telco in a box: the other side of the Africa's Talking gateway, and a phone to hold.

`python -m telco_sim` runs it as a server, `telco_sim.testing.running` runs it inside a test. It knows nothing
about the application it calls: everything passes through HTTP, as it would with the real gateway.
"""
