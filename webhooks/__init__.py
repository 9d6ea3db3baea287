"""Everything a telco calls over HTTP."""
