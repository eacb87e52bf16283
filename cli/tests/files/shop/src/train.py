import lib.tools
print("training")
