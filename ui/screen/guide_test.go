package screen

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"kvart/assets"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

func TestSiteAddress(t *testing.T) {
	t.Parallel()
	const profile = "{url}/wp-admin/profile.php"
	for _, tt := range []struct{ page, key, value, want string }{
		{profile, "url", "https://butik.example", "https://butik.example/wp-admin/profile.php"},
		{profile, "url", " butik.example/ ", "https://butik.example/wp-admin/profile.php"},
		{profile, "url", "https://butik.example/shop/wp-admin/edit.php?x=1#y", "https://butik.example/shop/wp-admin/profile.php"},
		{profile, "url", "https://asa:hemligt@butik.example/", "https://butik.example/wp-admin/profile.php"},
		{profile, "url", "http://localhost:8080", "http://localhost:8080/wp-admin/profile.php"},
		{"{url}/index.php/settings/user/security", "url", "https://moln.example/remote.php/dav/files/asa/Kvart", "https://moln.example/index.php/settings/user/security"},
		{profile, "url", "", ""},
		{profile, "url", "butik", ""},
		{profile, "url", "file:///etc/passwd", ""},
		{profile, "url", "javascript:alert(1)", ""},
		{profile, "url", "https://", ""},
		{"https://{shop}/admin", "shop", "Min-Butik", "https://min-butik.myshopify.com/admin"},
		{"https://{shop}/admin", "shop", "min-butik.myshopify.com", "https://min-butik.myshopify.com/admin"},
		{"https://{shop}/admin", "shop", "https://admin.shopify.com/store/min-butik/products", "https://min-butik.myshopify.com/admin"},
		{"https://{shop}/admin", "shop", "evil.example#", ""},
		{"https://{shop}/admin", "shop", "", ""},
	} {
		got, missing, ok := siteAddress(tt.page, map[string]string{tt.key: tt.value})
		if ok != (tt.want != "") || ok && got != tt.want || !ok && missing != tt.key {
			t.Errorf("%s with %q: %q, lacks %q, %v", tt.page, tt.value, got, missing, ok)
		}
	}
}

// TestGuides_labelsFit: no word of any picture is cut, in any language, where
// there is least room. Not parallel: Fyne measures text with its one app.
func TestGuides_labelsFit(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New())
	seen := 0
	for _, l := range assets.Languages() {
		w, err := assets.NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{
			"source.woocommerce", "source.shopify", "source.vendure", "source.mysql", "source.postgres", "source.sqlserver", "source.webhotel",
			"storage.s3", "storage.b2", "storage.azure", "storage.gcs", "storage.sftp", "storage.webdav", "storage.rclone", "storage.folder",
		} {
			area, kind, _ := strings.Cut(of, ".")
			g, ok, err := assets.GuideFor(area, kind)
			if err != nil || !ok {
				t.Fatalf("%s: %v, %v", of, ok, err)
			}
			for _, way := range g.Ways {
				for _, s := range way.Steps {
					seen++
					if cut := widgets.Cut(SceneOf(w, s.Picture), widgets.SketchWidth); len(cut) > 0 {
						t.Errorf("%s: %s.%s.%s has no room for %q", l, of, way.Code, s.Code, cut)
					}
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("looked at %d pictures only", seen)
	}
}
