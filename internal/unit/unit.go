// Package unit parses and formats quantities with units: ratios, sizes and bit rates.
package unit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// Ratio is a ratio, written as 99% or 0.99.
type Ratio float64

// ErrRatio is the error for an invalid ratio.
var ErrRatio = errors.New("expected a ratio above 0% and up to 100%, such as 99% or 0.99")

// UnmarshalText parses a ratio.
func (r *Ratio) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	if percent {
		number += "e-2" // not divided: 7% is the float that 0.07 is
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !(f > 0 && f <= 1) {
		return ErrRatio
	}
	*r = Ratio(f)
	return nil
}

// MarshalText formats a ratio in percent.
func (r Ratio) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String formats the ratio in percent, exactly: it parses to the same ratio.
func (r Ratio) String() string {
	// The decimal point is moved: to multiply would round once more.
	whole, part, _ := strings.Cut(strconv.FormatFloat(float64(r), 'f', -1, 64), ".")
	for len(part) < 2 {
		part += "0"
	}
	text := strings.TrimLeft(whole+part[:2], "0")
	if text == "" {
		text = "0"
	}
	if part[2:] != "" {
		text += "." + part[2:]
	}
	return text + "%"
}

// Size is an amount of data in bytes, written as 64MiB, 512k or 1000.
type Size uint64

// ErrSize is the error for an invalid size.
var ErrSize = errors.New("expected a size such as 64MiB, 512k or 1000 (bytes)")

// UnmarshalText parses a size. All units are powers of 1024.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := units.RAMInBytes(string(text))
	if err != nil || n < 0 {
		return ErrSize
	}
	*s = Size(n)
	return nil
}

// MarshalText formats a size in the largest unit that gives a whole number.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String formats the size in the largest unit that gives a whole number.
func (s Size) String() string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if whole := Size(1) << (30 - 10*i); s >= whole && s%whole == 0 {
			return fmt.Sprintf("%d%s", s/whole, unit)
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// BitRate is bits per second, written as 10mbit, 512kbit or 1gbit.
type BitRate uint64

// ErrBitRate is the error for an invalid bit rate.
var ErrBitRate = errors.New("expected a bandwidth such as 10mbit, 512kbit or 1gbit (per second)")

// maxBits bounds a bit rate: a petabit per second, which nothing carries.
const maxBits = 1e15

// steps are the units of a bit rate, largest first.
func steps() []struct {
	name string
	bits uint64
} {
	return []struct {
		name string
		bits uint64
	}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}
}

// UnmarshalText parses a bit rate.
func (b *BitRate) UnmarshalText(text []byte) error {
	for _, s := range steps() {
		number, ok := strings.CutSuffix(strings.ToLower(string(text)), s.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(number, 64)
		bits := f * float64(s.bits)
		if err != nil || !(bits >= 1 && bits < maxBits) {
			return ErrBitRate
		}
		*b = BitRate(bits)
		return nil
	}
	return ErrBitRate
}

// MarshalText formats a bit rate in the largest unit that gives a whole number.
func (b BitRate) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String formats the bit rate in the largest unit that gives a whole number.
func (b BitRate) String() string {
	for _, s := range steps() {
		if uint64(b) >= s.bits && uint64(b)%s.bits == 0 {
			return strconv.FormatUint(uint64(b)/s.bits, 10) + s.name
		}
	}
	return "0bit"
}
