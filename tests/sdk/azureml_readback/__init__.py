"""Reads with Microsoft's own client what the operator made in Azure ML, and compares it with the manifests."""
