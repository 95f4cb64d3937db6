"""The procedures of Payer et al. 2018 and 2019, as published."""
