"""Transfer of a pre-trained encoder to a target domain: zero-shot, closed form, fine-tuned head."""
