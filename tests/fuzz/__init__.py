"""F50-F62, F67-F69, F73: whatever is sent to whatever route, the answer is orderly and a refusal changes nothing."""
