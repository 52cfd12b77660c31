"""Subscription, payment methods, the payment gateway."""
