"""What things cost: the LLM, its quantization, the node, the radio link, and the workload."""
