package helper

// Signal signals processes of the target.
type Signal struct {
	Process string `json:"process"` // the name of its program, without folders
	Signal  int    `json:"signal"`
	Undo    int    `json:"undo,omitempty"` // the signal that takes it back, if one does
}

func (*Signal) work() string { return "signal" }
