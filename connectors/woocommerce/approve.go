package woocommerce

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"unicode"

	"kvart/app"
	"kvart/connectors/rest"
)

const (
	approvedName = "Kvart"
	// approvedID tells WordPress which program asks, so that it lists one on all
	// of an owner's computers as the same.
	approvedID = "5f1c8b9e-6a0d-5c5e-9a38-2f6d0b7c41ee"
	// approvalPage is where every WordPress since 5.6 has the page.
	approvalPage = "wp-admin/authorize-application.php"
)

var _ rest.Approver = (*Platform)(nil)

// Approval implements [rest.Approver]: WordPress' page for application passwords.
// Without an address to go on to it shows the password for copying. It would go
// on to https alone, or to a scheme of our own, which no browser knows before
// something is installed; 127.0.0.1 it refuses.
func (p *Platform) Approval(ctx context.Context, src app.Source) (app.Approval, error) {
	base, err := rest.ParseBase(fieldURL, src.Settings[fieldURL], src.Settings[fieldPlain] == "true")
	if err != nil {
		return app.Approval{}, err
	}
	s := &shop{c: p.client(base), sorts: byName()}
	w, err := s.wordpress(ctx)
	if err != nil {
		return app.Approval{}, err
	}
	where, ok := w.approves()
	if !ok {
		return app.Approval{}, app.Errorf(app.CodeShopApproval, "woocommerce: approve", "%s offers no application passwords", base.Host).With("where", base.Host)
	}
	page := *base
	page.Path += "/" + approvalPage
	// The site may have its pages elsewhere than its front: it says where.
	told, err := url.Parse(where)
	if err == nil && told.Scheme == base.Scheme && told.Host == base.Host {
		page = *told
	}
	page.RawQuery = url.Values{"app_name": {approvedName}, "app_id": {approvedID}}.Encode()
	return app.Approval{URL: page.String(), Site: w.Name, App: approvedName, Field: fieldPassword, UserField: fieldUser}, nil
}

// approves tells whether passwords of applications are taken, and the address of
// the page for them.
func (w wordpress) approves() (page string, ok bool) {
	var ways struct {
		Passwords *struct {
			Endpoints struct {
				Authorization string `json:"authorization"`
			} `json:"endpoints"`
		} `json:"application-passwords"`
	}
	if json.Unmarshal(w.Authentication, &ways) != nil || ways.Passwords == nil {
		return "", false
	}
	return ways.Passwords.Endpoints.Authorization, true
}

// pasted is a password as it was copied from the page, which shows it in groups:
// without blanks of any sort. WordPress passes over them too.
func pasted(s app.Secret) app.Secret {
	return app.NewSecret(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s.Reveal()))
}
