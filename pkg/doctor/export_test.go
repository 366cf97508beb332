package doctor

// Exported for tests.
var (
	Single    = single
	ModulesOf = modulesOf
)
