"""`tools/bench/training`: how fast Runnel and PyTorch train the same character model, and whether they learn alike."""
