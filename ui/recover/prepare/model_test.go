package prepare

import (
	"image/color"
	"slices"
	"testing"

	"kvart/app"
	"kvart/assets"
)

func TestContacts_roles(t *testing.T) {
	t.Parallel()
	list := []app.Contact{{Role: "Maria", Phone: "1"}, {Role: "bank", Phone: "2"}, {Role: "bank", Name: "Giro"}}
	all := withRoles(list)
	if len(all) != len(assets.Roles())+2 || all[0].Role != "host" || all[len(all)-1].Role != "Maria" {
		t.Errorf("%+v", all)
	}
	if got := filled(append(all, app.Contact{Role: "  "}, app.Contact{Role: "x", Name: " "})); !slices.Equal(got, []app.Contact{list[1], list[2], list[0]}) {
		t.Errorf("%+v", got)
	}
}

func TestColorOf(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]color.NRGBA{
		"#1F4E79": {0x1F, 0x4E, 0x79, 255}, "": {0x0E, 0x6B, 0x58, 255}, "#": {0x0E, 0x6B, 0x58, 255}, "#12345": {0x0E, 0x6B, 0x58, 255}, "#zzzzzz": {0x0E, 0x6B, 0x58, 255},
	} {
		if got := colorOf(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
