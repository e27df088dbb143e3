package updates

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// version is a release's number; what comes before it is told apart: 1.0.0-rc.1.
type version struct {
	numbers [3]int
	before  []string
}

var versionForm = regexp.MustCompile(`^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-([0-9A-Za-z.-]{1,40}))?(?:\+[0-9A-Za-z.-]{1,40})?$`)

func parseVersion(s string) (version, error) {
	m := versionForm.FindStringSubmatch(s)
	if m == nil {
		return version{}, fmt.Errorf("%q is no version", s)
	}
	var v version
	for i := range v.numbers {
		v.numbers[i], _ = strconv.Atoi(m[i+1]) // digits, and few
	}
	if m[4] != "" {
		v.before = strings.Split(m[4], ".")
	}
	return v, nil
}

// compare orders versions as semver.org does.
func (v version) compare(w version) int {
	if c := slices.Compare(v.numbers[:], w.numbers[:]); c != 0 {
		return c
	}
	switch {
	case len(v.before) == 0 || len(w.before) == 0:
		return cmp.Compare(len(w.before), len(v.before)) // the release itself comes last
	}
	return slices.CompareFunc(v.before, w.before, func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(x, y)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// Newer implements [app.Updater]. What is no version is newer than nothing.
func (u *Updates) Newer(a, than string) bool {
	v, err := parseVersion(a)
	w, errW := parseVersion(than)
	return err == nil && errW == nil && v.compare(w) > 0
}
