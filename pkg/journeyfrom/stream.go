package journeyfrom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/plaintext"
)

// whole is a reader with an error for what is larger than stated.
type whole struct {
	from io.Reader
	left int64
}

// Read implements [io.Reader].
func (w *whole) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, fmt.Errorf("%w: expected at most %d MiB: record only the journey, or export without the content of images", bounded.ErrTooLarge, MaxRecording>>20)
	}
	n, err := w.from.Read(p[:min(int64(len(p)), w.left)])
	w.left -= int64(n)
	return n, err
}

// object reads an object, whose values on reads.
func object(d *json.Decoder, place string, on func(key string) error) error {
	if err := open(d, place, '{', "an object"); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return wrong(d, place, err)
		}
		if err := on(fmt.Sprint(key)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return wrong(d, place, err)
}

// list reads a list, whose items on reads.
func list(d *json.Decoder, place string, on func(i int) error) error {
	if err := open(d, place, '[', "a list"); err != nil {
		return err
	}
	for i := 0; d.More(); i++ {
		if err := on(i); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return wrong(d, place, err)
}

func open(d *json.Decoder, place string, want json.Delim, what string) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return wrong(d, place, err)
	case t != want:
		return fmt.Errorf("%s: found %s, expected %s", at(place), kindOf(t), what)
	}
	return nil
}

func skip(d *json.Decoder, place string) error {
	var ignored json.RawMessage
	return wrong(d, place, d.Decode(&ignored))
}

// wrong is an error of JSON with its place. It does not repeat a value, which may be
// secret.
func wrong(d *json.Decoder, place string, err error) error {
	if err == nil {
		return nil
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if t.Field != "" {
			place += "." + t.Field
		}
		found, _, _ := strings.Cut(t.Value, " ")
		return fmt.Errorf("%s: found %s, expected %s", at(strings.TrimPrefix(place, ".")), article(found), article(t.Type.Kind().String()))
	}
	if errors.Is(err, bounded.ErrTooLarge) {
		return fmt.Errorf("%s: %w", at(place), err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file ends too early")
	}
	return fmt.Errorf("%s: not valid JSON near byte %d: %w", at(place), d.InputOffset(), err)
}

func at(place string) string {
	if place == "" {
		return "the document"
	}
	return plaintext.OneLine(place, maxTitle)
}

// article is a type in words.
func article(kind string) string {
	switch kind {
	case "struct", "map", "object":
		return "an object"
	case "slice", "array":
		return "a list"
	case "float64", "int":
		return "a number"
	}
	return "a " + kind
}

func kindOf(t any) string {
	switch t := t.(type) {
	case json.Delim:
		return map[json.Delim]string{'{': "an object", '[': "a list"}[t]
	case string:
		return "a string"
	case nil:
		return "null"
	case bool:
		return "a bool"
	}
	return "a number"
}
