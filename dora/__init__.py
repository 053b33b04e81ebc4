"""The five DORA metrics from delivery facts."""
