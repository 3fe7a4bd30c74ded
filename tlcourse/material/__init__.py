"""What comes in: assets, data, backbones and their features."""
