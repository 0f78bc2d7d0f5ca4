"""The engines that run the case workflow: embedded in this process, or AWS Step Functions."""
