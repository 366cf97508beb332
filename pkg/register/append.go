package register

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Append adds a decision to the text of a register, whose other lines and comments
// stay as they are. An empty text is a register without decisions. What cannot be read
// again is an error.
func Append(text []byte, d Decision) ([]byte, error) {
	before, err := Load(File, text)
	if len(bytes.TrimSpace(text)) == 0 {
		before, err = Register{}, nil
	}
	if err != nil {
		return nil, err
	}
	if known, decided := before.Find(d.Environment, d.Component); decided {
		return nil, fmt.Errorf("%s: %s in %s has a decision: edit it there", known.Where, d.Component, d.Environment)
	}
	added, err := yaml.MarshalWithOptions(Register{Version: Version, SPOFs: []Decision{d}}, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("add a decision on %s to %s: %w", d.Component, File, err)
	}
	after := added
	if len(before.SPOFs) > 0 {
		_, entry, _ := bytes.Cut(added, []byte("spofs:\n"))
		after = append(append(bytes.TrimRight(text, "\n"), '\n'), entry...)
	}
	if _, err := Load(File, after); err != nil {
		return nil, fmt.Errorf("add a decision on %s to %s: %w", d.Component, File, err)
	}
	return after, nil
}
