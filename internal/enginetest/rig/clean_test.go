package rig_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// What stands in the recording instead of what differs from run to run.
const (
	recordedID   = "077a3d9b1922045bd656e83951670942a61fbdebd0d3ddca396922ebc59f07c7"
	recordedName = "shop-db-1"
	recordedNet  = "f038970d8e119531df112090d21a9d1a7fdae8b71977798676af3b42ea28577c"
	recordedTime = "2026-01-02T03:04:05.678901234Z"
	neverTime    = "0001-01-01T00:00:00Z"
)

// list is a container as the engine lists it.
func (r *recorder) list(t *testing.T, id string) rig.Object {
	t.Helper()
	filters, _ := json.Marshal(map[string][]string{"id": {id}})
	_, _, body := r.ask(t, http.MethodGet, "/containers/json?all=1&filters="+url.QueryEscape(string(filters)), "")
	var all []rig.Object
	if err := json.Unmarshal(body, &all); err != nil || len(all) != 1 {
		t.Fatal(err, len(all))
	}
	return all[0]
}

// clean replaces what differs from one container, network and machine to another.
func (r *recorder) clean(o rig.Object, id string) rig.Object {
	data, _ := json.Marshal(o)
	text := strings.NewReplacer(
		id, recordedID, id[:12], recordedID[:12], r.netID, recordedNet, r.net, "shop_back", r.image, "shop/db", r.bed.Label, "gameday.test=x",
	).Replace(string(data))
	text = regexp.MustCompile(`"/?[a-z]+_[a-z]+"`).ReplaceAllStringFunc(text, func(found string) string {
		if name := strings.Trim(found, `"/`); !dockerName(name) {
			return found
		}
		if strings.HasPrefix(found, `"/`) {
			return `"/` + recordedName + `"`
		}
		return `"` + recordedName + `"`
	})
	var cleaned rig.Object
	_ = json.Unmarshal([]byte(text), &cleaned)
	return tidy("", cleaned).(rig.Object)
}

// dockerName tells a name that the engine made up from the words of its answers.
func dockerName(name string) bool { return name != "shop_back" && name != "health_status" }

// local are the keys of what only the machine of the recording has.
const local = " GraphDriver ResolvConfPath HostnamePath HostsPath LogPath MountLabel ProcessLabel AppArmorProfile MaskedPaths ReadonlyPaths gameday.test Runtime CgroupParent SandboxID SandboxKey EndpointID Driver LogConfig "

// tidy is a value without what is of one machine, and with fixed times and addresses.
func tidy(key string, v any) any {
	switch v := v.(type) {
	case rig.Object:
		for k, inner := range v {
			if strings.Contains(local, " "+k+" ") {
				delete(v, k)
				continue
			}
			v[k] = tidy(k, inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = tidy(key, inner)
		}
	case float64:
		if key == "Pid" && v > 0 {
			return 13010
		}
	case string:
		switch {
		case regexp.MustCompile(`^\d{4}-\d\d-\d\dT`).MatchString(v) && v != neverTime:
			return recordedTime
		case key == "IPAddress":
			return fixed(v, "172.19.0.2")
		case key == "MacAddress":
			return fixed(v, "02:42:ac:13:00:02")
		case key == "Gateway":
			return fixed(v, "172.19.0.1")
		case key == "Subnet":
			return "172.19.0.0/16"
		case key == "IPv4Address":
			return "172.19.0.2/16"
		case key == "Image" || key == "ImageID" || key == "image" || key == "from":
			return "shop/db"
		}
	}
	return v
}

// fixed is the fixed text for one that is not empty.
func fixed(found, instead string) string {
	if found == "" {
		return ""
	}
	return instead
}
