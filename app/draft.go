package app

import (
	"context"
	"time"
)

// SetupDraft is how far a setup that was left has come: what the owner entered,
// but no secrets, so that it can be taken up again after the window, the guard
// or the computer was restarted.
type SetupDraft struct {
	At   time.Time `json:"at"`   // when it was kept; set by the guard
	Page string    `json:"page"` // of the window's; the guard only keeps it
	// Picks are what was found or described, in the order shown.
	Picks []DraftPick `json:"picks,omitempty"`
	// Storage is where the backups are to lie. Nothing is proven of it.
	Storage DraftStorage `json:"storage"`
	Shop    string       `json:"shop,omitempty"`
}

// DraftPick is one source of a [SetupDraft].
type DraftPick struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	// Found are the settings it was found with, none for one that the owner
	// described; Settings those that the owner entered since.
	Found    map[string]string `json:"found,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	On       bool              `json:"on,omitempty"`  // ticked
	Own      bool              `json:"own,omitempty"` // chosen or described by the owner
	// Whole reports that nothing more has to be asked: no secret was needed.
	Whole bool `json:"whole,omitempty"`
}

// DraftStorage is the storage of a [SetupDraft].
type DraftStorage struct {
	Kind     Kind              `json:"kind,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
}

// MostDraft bounds a [SetupDraft], in bytes of its JSON.
const MostDraft = 256 << 10

// Empty reports whether there is nothing to take up again.
func (d SetupDraft) Empty() bool {
	return d.Page == "" && len(d.Picks) == 0 && d.Storage.Kind == "" && d.Shop == ""
}

// Without returns the draft without what must not be kept: a value of a field
// that is a secret in forms, or of a kind or field that forms do not know, and
// what looks as if a secret were in it: see [HoldsSecret].
func (d SetupDraft) Without(forms Forms) SetupDraft {
	picks := make([]DraftPick, 0, len(d.Picks))
	for _, p := range d.Picks {
		p.Found, p.Settings = plain(forms.Sources, p.Kind, p.Found), plain(forms.Sources, p.Kind, p.Settings)
		p.Name = unlessSecret(p.Name)
		picks = append(picks, p)
	}
	d.Picks, d.Page, d.Shop = picks, unlessSecret(d.Page), unlessSecret(d.Shop)
	d.Storage.Settings = plain(forms.Storages, d.Storage.Kind, d.Storage.Settings)
	return d
}

// plain returns those settings that are no secrets.
func plain(kinds []KindSpec, kind Kind, settings map[string]string) map[string]string {
	out := map[string]string{}
	for _, k := range kinds {
		if k.Kind != kind {
			continue
		}
		for key, v := range settings {
			if f, ok := k.Field(key); ok && f.Type != FieldSecret && !HoldsSecret(v) {
				out[key] = v
			}
		}
	}
	return out
}

// SetupService remembers a setup that was left in the middle.
type SetupService interface {
	// SetupDraft returns what was kept last; an empty one when there is none.
	SetupDraft(ctx context.Context) (SetupDraft, error)
	// SetSetupDraft keeps a draft in place of the last; an empty one forgets it.
	// What its kinds call a secret is left out. One larger than [MostDraft] is
	// [CodeUsage], and the last one stays.
	SetSetupDraft(ctx context.Context, d SetupDraft) error
}
