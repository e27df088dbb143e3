package memvault

import (
	"slices"

	"kvart/app"
)

// at returns what lies at a location, the setting "path" of its storage.
func (p *Provider) at(path string) *store {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stores[path]
}

// Damage makes the points of the vault or copy at a path unreadable: all, when
// none is named.
func (p *Provider) Damage(path string, points ...app.PointID) {
	s := p.at(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sv := range s.points {
		if len(points) == 0 || slices.Contains(points, sv.point.ID) {
			sv.damaged = true
		}
	}
}

// Forget makes the vault at a path lose points without having let them go.
func (p *Provider) Forget(path string, points ...app.PointID) {
	s := p.at(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points = slices.DeleteFunc(s.points, func(sv *saved) bool { return slices.Contains(points, sv.point.ID) })
}

// Lose takes the format blob away from the vault at a path, the rest stays.
func (p *Provider) Lose(path string) {
	s := p.at(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
}

// Hide deletes all of the vault at a path, older versions are kept: it can be
// opened as of now or earlier.
func (p *Provider) Hide(path string) {
	s := p.at(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden = p.now()
}

// Remove takes away all that lies at a path.
func (p *Provider) Remove(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.stores, path)
}
