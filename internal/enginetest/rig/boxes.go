package rig

import (
	"maps"
	"strings"
	"time"
)

// Edit changes a container before it is put on the engine.
type Edit func(Object)

// Box is a running container of compose project shop; its ID is its name. It has no health
// check.
func Box(name string, edits ...Edit) Object {
	o := Recorded().Container
	o["Id"], o["Name"] = name, "/"+name
	delete(At(o, "State"), "Health")
	At(o, "Config")["Labels"] = Object{"com.docker.compose.project": "shop", "com.docker.compose.oneoff": "False"}
	for _, change := range edits {
		change(o)
	}
	return o
}

// At is the object at a path of keys. It is made if it is not there.
func At(o Object, path ...string) Object {
	for _, key := range path {
		next, ok := o[key].(Object)
		if !ok {
			next = Object{}
			o[key] = next
		}
		o = next
	}
	return o
}

// Set sets the value at a path of keys.
func Set(value any, path ...string) Edit {
	return func(o Object) { At(o, path[:len(path)-1]...)[path[len(path)-1]] = value }
}

// With adds labels, key=value.
func With(labels ...string) Edit {
	return func(o Object) {
		for _, label := range labels {
			key, value, _ := strings.Cut(label, "=")
			At(o, "Config", "Labels")[key] = value
		}
	}
}

// Service makes it a container of a compose service.
func Service(name string) Edit { return With("com.docker.compose.service=" + name) }

// In is a container in a state that was recorded: created, running, paused, exited.
func In(status string) Edit {
	return func(o Object) { maps.Copy(At(o, "State"), Recorded().States[status]) }
}

// State sets flags of the state, in the engine's words.
func State(status string, flags ...string) Edit {
	return func(o Object) {
		s := At(o, "State")
		s["Status"], s["Running"] = status, false
		for _, flag := range flags {
			s[flag] = true
		}
	}
}

// Networks replaces the networks. Each is "name address gateway", then, if it has them,
// IPv6 address and gateway; - stands for none.
func Networks(all ...string) Edit {
	return func(o Object) {
		found := Object{}
		for _, text := range all {
			f := append(strings.Fields(text), "-", "-", "-", "-")
			for i := range f {
				f[i] = strings.TrimPrefix(f[i], "-")
			}
			found[f[0]] = Object{"NetworkID": "id-of-" + f[0], "IPAddress": f[1], "Gateway": f[2], "GlobalIPv6Address": f[3], "IPv6Gateway": f[4]}
		}
		At(o, "NetworkSettings")["Networks"] = found
	}
}

// Check is what a health check finds, from a time after the container's start on.
type Check struct {
	After  time.Duration
	Status string // starting, healthy or unhealthy
}

// healthKey is the key of a container under which the rig keeps its checks.
const healthKey = "rig.checks"

// Health gives a container a health check. It says now for the life that the container is
// put on the engine with, and then for every later one.
func Health(now string, then ...Check) Edit {
	return func(o Object) {
		At(o, "State")["Health"] = Recorded().Health[now]
		o[healthKey] = then
	}
}
