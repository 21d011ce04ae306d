package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// group is people who have something in common that a face shows. Strangers of one group look more alike to a model than
// strangers at large.
type group struct {
	name string
	has  func(*picture) bool
}

// groups are what LFW can tell: what the faces look like to the pack's own gender model (96.8 % of LFW right), and where
// the names come from, which says where people or their forebears come from, and only roughly.
func groups() []group {
	return []group{
		{"all people", func(*picture) bool { return true }},
		{"women", func(p *picture) bool { return p.woman != nil && *p.woman }},
		{"men", func(p *picture) bool { return p.woman != nil && !*p.woman }},
		{"East Asian names", named(eastAsian)},
		{"Middle Eastern and South Asian names", named(middleEastern)},
		{"Spanish, Portuguese and Latin American names", named(latin)},
		{"all other names", func(p *picture) bool {
			return !named(eastAsian)(p) && !named(middleEastern)(p) && !named(latin)(p)
		}},
	}
}

// Names and parts of names as LFW spells them, given and family names alike. Those that are common elsewhere too are left out.
const (
	eastAsian = ` Akashi Chang Chea Chen Cheung Chimura Cho Choi Chok Chuanyun Dae-whan Fukui Gao Goh Gum-sil Gil Hagiwara Hana Hasuike
		Hayami Hidetoshi Hisako Hong-gul Hyuk Ip Ishiba Izawa Jae Jeong Jiang Jiaxuan Jie-won Jong-Il Joo Jun Kan Kang Kaoru Kawaguchi
		Kim Kitajima Koichi Koichiro Koizumi Kosuke Liu Lu Masaru Matsuura Nakata Naoto Pak Pao-yu Park Qiang Se-hyun Shigeru
		Shinya Shui-bian Sung Takebe Takeo Tam Tanaka Tang Taniguchi Tomoko Toshi Tso Tsutomu Urushima Wang Yamaguchi Yang Yasushi
		Yeoh Yimou Yingfan Yishan Yon Yong-il Yoon Yoriko Zemin Zhang Ziyi Chao Ang Annette_Lu Amporn Surakait Thaksin Shinawatra
		Sathirathai Sophara `
	middleEastern = ` Abbas Abdul Abdullah Abdullatif Abid Abulhasan Adel Advani Aghazadeh Ahmad Ahmadi Ahmed Akin al-Ghozi al-Hakim
		al-Kidwa Al-Arian Al-Jubeir Al-Sharief Al-Tikriti al-Tikriti Ali Aliev Amin Armali Asif Assad Atiya Ayoub Bachtiar Bahadur Baqir
		Barzan Begum Boutros Cem Chaudhari Chawki Dawood Dravid ElBaradei Elashi Fahim Fallahian Farouk Ghassan Ghazi Gholamreza Gul
		Habib Hamid Hamza Hariri Hassan Hekmat Hilmi Hussain Hussam Ibrahim Ilham Imad Islam Ismail Izzat Jalal Kaddoumi Kamal Karimov
		Khader Khaleda Khan Kharrazi Khatami Laden Lokendra Mahima Mahmoud Mahmud Majeed Makhdoom Malik Mamdouh Manijeh Masum Merchant
		Mohamed Mohammad Mohammed Moustapha Muhammad Muhsen Mufti Naimi Nambiar Nasser Noor Osama Putra Qazi Rafiq Rahim Rahul Rashid
		Sami Sener Shireen Shobokshi Sofyan Syed Talabani Turker Vijay Wirajuda Zardari Zia Zorlu Hashan Hutomo Mandala Rohman Tillakaratne `
	latin = ` Aguilar Aldana Alejandro Alencar Alvaro Arce Armando Arroyo Atchugarry Avila Barajas Barrera Beltran Borja Cabrera Calleri
		Cardenas Carlos Carrillo Castaneda Castillo Castro Cerna Cesar Cevallos Chavez Chilavert Conchita Condori Contreras Corretja Costa
		Cristina Cruz Daisy Derbez Dirceu Duarte Eloy Enrique Ernesto Fernandez Fernando Figo Flor Fox Franco Frutos Fuentes Garcia Genoino
		Gilberto Gonzalez Gorriaran Guevara Guillermo Gutierrez Haroldo Helio Castroneves Hayek Horacio Horna Ibarra Iturgaitz Javier
		Jimenez Joaquin Jorge Jose Joxel Juan Julio Lucio Lucrecia Luis Maduro Malan Manuel Marcelo Marina_Silva Martinez Maturana Mauricio
		Medina Meza Miguel Mireya Monroy Montoya Morales Moreno Moscoso Moya Nicanor Novelo Orejuela Orozco Ortega Ortiz Oviedo Palacio
		Palocci Panchame Patino Pedro Pena Penelope Perez Pichay Pruneda Puente Pujols Quiroga Ramiro Reducindo Reyes Ricardo Rios Roque
		Rodrigo Rodriguez Rosa Rosario Ruano Salma Sanchez Serna Sergio Silva Solbes Suazo Torrens Trillanes Uribe Urdaneta Valero Vargas
		Vicente Zaa Zanetti Zapatero Zuluaga `
)

func named(list string) func(*picture) bool {
	parts := map[string]bool{}
	for part := range strings.FieldsSeq(list) {
		parts[part] = true
	}
	return func(p *picture) bool {
		return parts[p.person] || slices.ContainsFunc(strings.Split(p.person, "_"), func(part string) bool { return parts[part] })
	}
}

// byGroup measures how often two people of one group reach each similarity of a calibration: every photo as a probe
// against every photo of the others as they are enrolled.
func byGroup(c *face.Cohort, points []recognizer.PointSpec, pictures []picture) *recognizer.GroupsSpec {
	out := &recognizer.GroupsSpec{}
	for _, p := range points {
		out.Similarities = append(out.Similarities, p.Similarity)
	}
	for _, g := range groups() {
		var members []picture
		people := map[string]bool{}
		for i := range pictures {
			if p := &pictures[i]; p.vector != nil && g.has(p) {
				members = append(members, *p)
				people[p.person] = true
			}
		}
		row := recognizer.GroupSpec{Name: g.name, People: len(people)}
		if len(people) < 2 {
			continue
		}
		scores := impostors(c, members)
		row.Pairs = len(scores)
		for _, p := range points {
			first, _ := slices.BinarySearch(scores, p.Normalised)
			row.Rates = append(row.Rates, float64(len(scores)-first)/float64(len(scores)))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// table is how people read the groups.
func table(g *recognizer.GroupsSpec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-46s %7s %9s", "strangers of one group", "people", "pairs")
	for _, s := range g.Similarities {
		fmt.Fprintf(&b, "  %8v", s)
	}
	b.WriteByte('\n')
	for _, r := range g.Rows {
		fmt.Fprintf(&b, "%-46s %7d %9d", r.Name, r.People, r.Pairs)
		for _, v := range r.Rates {
			fmt.Fprintf(&b, "  %8.1e", v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
