package settings

import "testing"

func TestParseLimit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		n  int64
		ok bool
	}{
		"": {0, true}, " ": {0, true}, "2": {2_000_000, true}, "0,5": {500_000, true}, "0.5": {500_000, true},
		"0": {0, false}, "-1": {0, false}, "two": {0, false}, "NaN": {0, false}, "Inf": {0, false}, "1e99": {0, false},
	} {
		if n, ok := parseLimit(in); n != want.n || ok != want.ok {
			t.Errorf("%q: %d, %v", in, n, ok)
		}
	}
}
