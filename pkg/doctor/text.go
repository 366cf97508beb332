package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Text is what was found, for a terminal, and what is next if nothing is missing. The texts of
// others in it are not escaped. Good ones of many of the same are counted, and not listed.
func Text(environment, next string, all []Finding) string {
	var b strings.Builder
	counted := map[string]bool{}
	for _, f := range merged(all) {
		what := f.Found
		if f.Subject != "" {
			what = f.Subject + ": " + what
		}
		if f.Status == OK && f.of != "" {
			if counted[f.of] {
				continue
			}
			counted[f.of] = true
			good, known := count(all, f.of)
			what = fmt.Sprintf("%d of %d %s", good, known, f.of)
		}
		fmt.Fprintf(&b, "%-8s %-8s %s\n", word(f), f.Check, what)
		if f.Cost != "" {
			fmt.Fprintf(&b, "%18simpact: %s\n", "", f.Cost)
		}
		if f.Mend != "" {
			fmt.Fprintf(&b, "%18sfix: %s\n", "", f.Mend)
		}
	}
	return b.String() + "\n" + summary(environment, next, len(Missing(all)))
}

// merged are the findings with those as one that lack the same, of many of the same.
func merged(all []Finding) []Finding {
	var list []Finding
	for _, f := range all {
		same := slices.IndexFunc(list, func(other Finding) bool {
			one := f
			one.Subject = other.Subject
			return f.of != "" && f.Status != OK && one == other
		})
		if same < 0 {
			list = append(list, f)
			continue
		}
		list[same].Subject += ", " + f.Subject
	}
	return list
}

// count is how many findings are of the same, and how many of them are good.
func count(all []Finding, of string) (good, known int) {
	for _, f := range all {
		if f.of != of {
			continue
		}
		known++
		if f.Status == OK {
			good++
		}
	}
	return good, known
}

func word(f Finding) string {
	switch {
	case f.Status == OK:
		return "ok"
	case f.Needed:
		return "MISSING"
	case f.Status == Unknown:
		return "unknown"
	}
	return "limited"
}

func summary(environment, next string, missing int) string {
	switch missing {
	case 0:
		return "Everything that game days in " + environment + " need is there. " + next
	case 1:
		return "1 thing that game days in " + environment + " need is missing: see MISSING."
	}
	return fmt.Sprintf("%d things that game days in %s need are missing: see MISSING.", missing, environment)
}
