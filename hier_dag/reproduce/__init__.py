"""Artifacts built again from what their manifests record, and compared with what is stored."""
