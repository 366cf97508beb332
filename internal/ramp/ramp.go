// Package ramp is the arithmetic of arrival rates that change: who sends users and who
// judges them rest on the same figures.
package ramp

import (
	"math"
	"time"
)

// Stage is a part of a load: the rate changes evenly to a new one, and stays there.
type Stage struct {
	To   float64       // users per second, above 0
	Over time.Duration // how long the change lasts; 0 is a step
	Hold time.Duration // how long the new rate holds
}

// Curve is an arrival rate over time. Until the time 0 it is constant; from then on its
// stages follow one another, and the rate of the last one holds.
type Curve struct {
	start float64
	parts []part
}

// part is a span in which the rate changes evenly.
type part struct {
	at       time.Duration // when it begins
	users    float64       // who have arrived by then, from the time 0
	from, to float64       // users per second
	lasts    time.Duration // 0 for the last part, which has no end
}

// New is the curve of a rate in users per second, and of the stages after it.
func New(start float64, stages []Stage) Curve {
	c := Curve{start: start}
	at, users, rate := time.Duration(0), 0.0, start
	add := func(to float64, lasts time.Duration) {
		if lasts > 0 {
			c.parts = append(c.parts, part{at, users, rate, to, lasts})
			at, users = at+lasts, users+(rate+to)/2*lasts.Seconds()
		}
		rate = to
	}
	for _, s := range stages {
		add(s.To, s.Over)
		add(s.To, s.Hold)
	}
	c.parts = append(c.parts, part{at, users, rate, rate, 0})
	return c
}

// Users is how many users arrive from the time 0 until a time; before it, the number is
// negative.
func (c Curve) Users(until time.Duration) float64 {
	if until <= 0 {
		return c.start * until.Seconds()
	}
	p := c.parts[0]
	for _, next := range c.parts[1:] {
		if next.at > until {
			break
		}
		p = next
	}
	t := (until - p.at).Seconds()
	if p.lasts == 0 {
		return p.users + p.from*t
	}
	return p.users + p.from*t + (p.to-p.from)*t*t/(2*p.lasts.Seconds())
}

// At is when a number of users have arrived: the inverse of Users.
func (c Curve) At(users float64) time.Duration {
	if users <= 0 {
		return seconds(users / c.start)
	}
	p := c.parts[0]
	for _, next := range c.parts[1:] {
		if next.users > users {
			break
		}
		p = next
	}
	n := users - p.users
	if p.lasts == 0 || p.from == p.to {
		return p.at + seconds(n/p.from)
	}
	// from·t + slope·t²/2 = n, in the form that loses no digits if the slope is small.
	slope := (p.to - p.from) / p.lasts.Seconds()
	root := math.Sqrt(max(p.from*p.from+2*slope*n, 0))
	return p.at + seconds(2*n/(p.from+root))
}

// seconds is a number of seconds, rounded to the nanosecond and bounded.
func seconds(s float64) time.Duration {
	const most = math.MaxInt64 / 4
	ns := math.Round(s * float64(time.Second))
	return time.Duration(max(min(ns, most), -most))
}
