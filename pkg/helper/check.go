package helper

// Features are what a kernel must be able to do.
type Features struct {
	Packets   bool `json:"packets,omitempty"`
	Limit     bool `json:"limit,omitempty"`
	Duplicate bool `json:"duplicate,omitempty"`
	Queue     bool `json:"queue,omitempty"`
	Shape     bool `json:"shape,omitempty"`
	Netem     bool `json:"netem,omitempty"`
}

func (*Features) work() string { return "check" }
