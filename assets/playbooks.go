package assets

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"

	"kvart/app"
)

// playbooks holds one file per playbook, named by its code.
//
//go:embed playbooks/*.json
var playbooks embed.FS

// Playbooks returns every playbook, in the order of [app.PlaybookCodes]. A field
// that a playbook can't have is an error.
func Playbooks() ([]app.Playbook, error) {
	var out []app.Playbook
	for _, code := range app.PlaybookCodes() {
		b, err := playbooks.ReadFile("playbooks/" + string(code) + ".json")
		if err != nil {
			return nil, fmt.Errorf("read playbook: %w", err)
		}
		p, err := parsePlaybook(b)
		if err != nil {
			return nil, fmt.Errorf("read playbook %s: %w", code, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func parsePlaybook(b []byte) (p app.Playbook, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return p, d.Decode(&p)
}
