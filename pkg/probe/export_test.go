package probe

// Exports for tests.
var (
	Ours   = ours
	Reason = reason

	OursInWords = oursInWords
)
