package docker_test

import (
	"encoding/json"
	"strings"
)

// edit changes a recorded answer.
type edit func(object)

// box is a running container of compose project shop; its id is its name.
func box(name string, edits ...edit) object {
	o := load("testdata/container.json")
	o["Id"], o["Name"] = name, "/"+name
	delete(at(o, "State"), "Health")
	at(o, "Config")["Labels"] = object{"com.docker.compose.project": "shop", "com.docker.compose.oneoff": "False"}
	for _, change := range edits {
		change(o)
	}
	return o
}

func load(path string) object {
	data, err := recorded.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		panic(err)
	}
	return o
}

// at is the object at a path of keys.
func at(o object, path ...string) object {
	for _, key := range path {
		next, ok := o[key].(object)
		if !ok {
			next = object{}
			o[key] = next
		}
		o = next
	}
	return o
}

// set sets the value at a path of keys.
func set(value any, path ...string) edit {
	return func(o object) { at(o, path[:len(path)-1]...)[path[len(path)-1]] = value }
}

// with adds labels, key=value.
func with(labels ...string) edit {
	return func(o object) {
		for _, label := range labels {
			key, value, _ := strings.Cut(label, "=")
			at(o, "Config", "Labels")[key] = value
		}
	}
}

// service makes it a container of a compose service.
func service(name string) edit { return with("com.docker.compose.service=" + name) }

// state sets flags of the state, in the engine's words.
func state(status string, flags ...string) edit {
	return func(o object) {
		s := at(o, "State")
		s["Status"], s["Running"] = status, false
		for _, flag := range flags {
			s[flag] = true
		}
	}
}

// networks replaces the networks. Each is "name address gateway", then, if it has
// them, IPv6 address and gateway; - stands for none.
func networks(all ...string) edit {
	return func(o object) {
		found := object{}
		for _, text := range all {
			f := append(strings.Fields(text), "-", "-", "-", "-")
			for i := range f {
				f[i] = strings.TrimPrefix(f[i], "-")
			}
			found[f[0]] = object{"NetworkID": "id-of-" + f[0], "IPAddress": f[1], "Gateway": f[2], "GlobalIPv6Address": f[3], "IPv6Gateway": f[4]}
		}
		at(o, "NetworkSettings")["Networks"] = found
	}
}
