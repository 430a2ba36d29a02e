"""A real engine, llama.cpp, behind the cost model: measured step by step, and run epoch by epoch.

Optional: the extra ``engine`` brings what it needs. What computes on stored measurements works without.
"""
