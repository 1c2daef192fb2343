{"event": "plan", "time": 0.000217, "decision": "stock", "reason": "the input big.nut cannot be opened: No such file or directory"}
