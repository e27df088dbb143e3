package uitest

import (
	"context"

	"kvart/app"
)

// Help is the part of [Service] that helps to help.
type Help struct {
	SupportFunc func() (app.SupportBundle, error)
}

// Support implements [app.SupportService].
func (s *Service) Support(context.Context) (app.SupportBundle, error) {
	s.call("Support")
	if s.SupportFunc != nil {
		return s.SupportFunc()
	}
	return app.SupportBundle{
		Files: []app.SupportFile{
			{Name: "about.txt", Text: "Kvart test\nlinux/amd64\n"},
			{Name: "status.json", Text: "{\n  \"verdict\": \"safe\"\n}\n"},
			{Name: "log.txt", Text: "{\"level\":\"INFO\",\"msg\":\"Backed up\"}\n"},
		},
		Logs: "/home/asa/.local/share/kvart",
	}, nil
}
