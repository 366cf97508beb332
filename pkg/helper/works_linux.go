package helper

// works is all that a helper can do. A new kind is a type that says what its
// settings are (such as shape.go) and does it (shape_linux.go), and one line here.
func works() registry {
	return registry{
		lasting: map[string]func() lasting{
			"fill":    func() lasting { return new(Fill) },
			"mount":   func() lasting { return new(Mount) },
			"packets": func() lasting { return new(Packets) },
			"queue":   func() lasting { return new(Queue) },
			"shape":   func() lasting { return new(Shape) },
			"signal":  func() lasting { return new(Signal) },
		},
		momentary: map[string]func() momentary{
			"check":     func() momentary { return new(Features) },
			"file":      func() momentary { return new(File) },
			"kill":      func() momentary { return new(KillOrder) },
			"neighbors": func() momentary { return new(Neighbors) },
			"signal":    func() momentary { return new(Signal) },
			"sockets":   func() momentary { return new(Sockets) },
		},
	}
}
