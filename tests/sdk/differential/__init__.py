"""What Microsoft's client sends for files of `az ml`, beside what the operator sends for the manifests made of them."""
