package probe

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// checkConstant refuses a template that differs between users: users share connections to
// one server, and it is prepared once for a load.
func checkConstant(text string) error {
	found, err := uses(text)
	if err == nil && len(found.names) > 0 {
		return fmt.Errorf("found {{.%s}}, but this is the same for all users: use constants and {{env \"NAME\"}} only", found.names[0])
	}
	return nil // what is no template is reported with the other templates
}

// withoutTemplates is a text with a digit instead of each part that is replaced.
func withoutTemplates(text string) string { return action.ReplaceAllString(text, "0") }

// checkAddress checks an address of a server, whose port may be missing if there is a
// usual one.
func checkAddress(address string, usual int) error {
	host, port, err := net.SplitHostPort(withPort(withoutTemplates(address), strconv.Itoa(usual)))
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
		return fmt.Errorf("found %q, expected HOST:PORT such as cache:%d", address, usual)
	}
	return nil
}

// maxTitle is the length of the longest title that is made from what a step asks.
const maxTitle = 60

// short is a text on one line of limited length.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxTitle {
		text = string(runes[:maxTitle-1]) + "…"
	}
	return text
}
