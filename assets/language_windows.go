package assets

import "golang.org/x/sys/windows"

// osLanguage returns the display language the owner chose in Windows.
func osLanguage() string {
	l, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(l) == 0 {
		return "en"
	}
	return l[0]
}
