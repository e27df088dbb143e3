package agent

import (
	"slices"
	"testing"

	"kvart/app"
)

// TestStatus_homeOnShare: the owner is told that Kvart's own folder lies on a
// network drive, and the shop is as safe as its backups are.
func TestStatus_homeOnShare(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	noted := func() bool {
		return slices.ContainsFunc(s.status().Notes, func(n app.Problemed) bool {
			return n.Error.Code == app.CodeHomeShare && n.Error.Args["path"] == s.dir
		})
	}
	if noted() {
		t.Error("on its own disk")
	}
	before := s.status().Verdict
	s.OnShare = true
	if !noted() {
		t.Error("not told")
	}
	if got := s.status().Verdict; got != before {
		t.Errorf("%s became %s", before, got)
	}
}
