"""OUCH 5.0 order entry over SoupBinTCP: the quoter's encoders and the simulated venue's front."""
