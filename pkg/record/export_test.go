package record

// Result is a sample as it is stored.
type Result = result
