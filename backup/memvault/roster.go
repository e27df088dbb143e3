package memvault

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"kvart/app"
)

// ownerIdle is how long the computer that maintains may not have done it.
const ownerIdle = 7 * 24 * time.Hour

// computer is one that stored something.
type computer struct {
	app.Computer

	guard          string // that stores for it
	replacedByName string
}

var _ app.Roster = (*vault)(nil)

// mayStoreLocked returns an error if this computer may store nothing any more.
func (v *vault) mayStoreLocked() error {
	c := v.s.computers[v.self.ID]
	switch {
	case c == nil:
		return nil
	case c.ReplacedBy != "":
		name := c.replacedByName
		if other := v.s.computers[c.ReplacedBy]; other != nil {
			name = other.Name
		}
		return app.Errorf(app.CodeReplaced, "memvault", "by %s", c.ReplacedBy).With("computer", name)
	case v.claimed && c.guard != v.guard:
		return app.Errorf(app.CodeTwoGuards, "memvault", "guard %s stores for %s", c.guard, c.ID)
	}
	return nil
}

// enterLocked notes that this guard stores for its computer.
func (v *vault) enterLocked() {
	if v.self.ID == "" {
		return
	}
	now := v.p.now()
	c := v.s.computers[v.self.ID]
	if c == nil {
		c = &computer{Computer: app.Computer{ID: v.self.ID, Joined: now}}
		v.s.computers[v.self.ID] = c
	}
	c.Name, c.Seen, c.guard = v.self.Name, now, v.guard
	v.claimed = true
}

// Computers implements [app.Roster].
func (v *vault) Computers(context.Context) ([]app.Computer, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	var list []app.Computer
	for _, c := range v.s.computers {
		entry := c.Computer
		entry.Maintains = c.ID == v.s.maintainer
		list = append(list, entry)
	}
	slices.SortFunc(list, func(a, b app.Computer) int { return cmp.Or(a.Joined.Compare(b.Joined), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// Replace implements [app.Roster].
func (v *vault) Replace(ctx context.Context, old app.ComputerID) error {
	end, err := v.beginWriting(ctx)
	if err != nil {
		return err
	}
	defer end()
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if v.self.ID == "" {
		return app.Errorf(app.CodeUsage, "memvault: replace", "opened by no computer")
	}
	if old == app.NoComputer || old == v.self.ID {
		if c := v.s.computers[v.self.ID]; c != nil {
			c.ReplacedBy, c.guard = "", v.guard
			v.claimed = true
		}
		return nil
	}
	c := v.s.computers[old]
	if c == nil {
		return app.Errorf(app.CodeComputerUnknown, "memvault: replace", "no %q among %v", old, slices.Sorted(maps.Keys(v.s.computers))).
			With("computer", string(old))
	}
	c.ReplacedBy, c.replacedByName = v.self.ID, v.self.Name
	return nil
}

// maintainsLocked reports whether this computer maintains the vault. Where
// nobody does any more it will, the next time.
func (v *vault) maintainsLocked() bool {
	if v.mayStoreLocked() != nil {
		return false
	}
	if v.s.maintainer == v.self.ID {
		return true
	}
	owner := v.s.computers[v.s.maintainer]
	idle := v.p.now().Sub(v.s.maintained)
	if v.s.maintainer == "" || owner != nil && owner.ReplacedBy != "" || idle >= ownerIdle || idle < 0 {
		v.s.maintainer, v.s.maintained = v.self.ID, v.p.now()
	}
	return false
}
