package record

// Result is a sample as it is stored.
type Result = result

// Stored is a result as encoding/gob decodes it.
type Stored = stored

// Sample is the sample of a result.
func (r stored) Sample() Sample { return r.sample() }

// Slow reports whether encoding/gob goes on.
func (d *Decoder) Slow() bool { return d.slow != nil }
