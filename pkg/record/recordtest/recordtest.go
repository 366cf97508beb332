// Package recordtest writes and reads acknowledged writes as tests need them: a few, and
// all at once.
package recordtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gameday-dev/gameday/pkg/record"
)

// WriteAcks stores acknowledged writes in a run's folder, as a run does.
func WriteAcks(tb testing.TB, dir string, acks []record.Ack) {
	tb.Helper()
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	for _, ack := range acks {
		ack.Vars = nil
		if err := encoder.Encode(ack); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, record.WritesFile), data.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Acks are all acknowledged writes of a run's folder, up to an error.
func Acks(dir string) (all []record.Ack, err error) {
	for ack, err := range record.Acks(dir) {
		if err != nil {
			return all, err
		}
		all = append(all, ack)
	}
	return all, nil
}
