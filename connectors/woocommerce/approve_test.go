package woocommerce_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
	"kvart/connectors/woocommerce"
)

func TestEngine_Approval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		shop func(*woo.Shop)
		path string
		code app.Code
	}{
		{name: "as installed", path: "/wp-admin/authorize-application.php"},
		{name: "WordPress in a folder", shop: func(s *woo.Shop) { s.Admin = "/wp" }, path: "/wp/wp-admin/authorize-application.php"},
		{name: "without pretty addresses", shop: func(s *woo.Shop) { s.Plain = true }, path: "/wp-admin/authorize-application.php"},
		{name: "a page elsewhere is not opened", shop: func(s *woo.Shop) { s.Admin = ".evil.example" }, path: "/wp-admin/authorize-application.php"},
		{name: "turned off", shop: func(s *woo.Shop) { s.NoPasswords = true }, code: app.CodeShopApproval},
		{name: "no shop", shop: func(s *woo.Shop) {
			s.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Write([]byte(`{"name":"Bloggen","namespaces":["wp/v2"],"authentication":[]}`))
				return true
			}
		}, code: app.CodeSourceGone},
		{name: "an error page", shop: func(s *woo.Shop) {
			s.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Write([]byte(`<html>Underhåll</html>`))
				return true
			}
		}, code: app.CodeShopAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.shop != nil {
				c.shop(b.shop)
			}
			got, err := b.e.Approval(t.Context(), app.Source{Kind: woocommerce.Kind, Settings: map[string]string{"url": b.shop.URL}})
			if app.CodeOf(err) != c.code {
				t.Fatalf("error %v, want %q", err, c.code)
			}
			if err != nil {
				return
			}
			u, err := url.Parse(got.URL)
			if err != nil || "http://"+u.Host != b.shop.URL || u.Path != c.path || u.Query().Get("app_name") != "Kvart" || len(u.Query().Get("app_id")) != 36 {
				t.Errorf("page %s, %v", got.URL, err)
			}
			if u.Query().Has("success_url") || got.Field != "password" || got.UserField != "user" || got.Site == "" {
				t.Errorf("approval %+v", got)
			}
			for _, r := range b.shop.Requests() {
				if strings.Contains(r, "wc/v3") {
					t.Errorf("asked %s without a key", r)
				}
			}
		})
	}
}

func TestEngine_Approval_address(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for address, want := range map[string]app.Code{"": app.CodeUsage, "http://butiken.example": app.CodeSourcePlain} {
		if _, err := b.e.Approval(t.Context(), app.Source{Settings: map[string]string{"url": address}}); app.CodeOf(err) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// A password is taken as it was copied: with the blanks it is shown with, and
// those that came along.
func TestEngine_Check_pasted(t *testing.T) {
	t.Parallel()
	for _, as := range []string{
		woo.Password, strings.ReplaceAll(woo.Password, " ", ""), "  " + woo.Password + "\r\n", strings.ReplaceAll(woo.Password, " ", "\u00a0"), "\u200b" + woo.Password + "\t",
	} {
		b := newBench(t)
		b.access.Secrets["password"] = app.NewSecret(as)
		if _, err := b.e.Check(t.Context(), b.access); err != nil {
			t.Errorf("%q: %v", as, err)
		}
	}
}
