//! Which file of a crate takes what from which other, as `syn` reads it, and the circles among them.
//!
//! A file takes an item from the file that defines it, whatever re-exports the name came through. A `mod.rs` that only
//! hands names on takes nothing, and tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, MetaList, PatIdent, UseTree, Visibility};

/// A path in a program, segment by segment.
type Names = Vec<String>;

/// A module: its file, what it defines, what it calls by a name of its own, and every path in it.
#[derive(Default)]
struct Module {
    file: PathBuf,
    items: BTreeSet<String>,
    /// Of these, the types that other files can see.
    types: Vec<String>,
    /// A name in this module, and the path that it stands for; `*` for all that is there.
    uses: Vec<(String, Names)>,
    paths: BTreeSet<Names>,
    /// Its local variables: a path of one of them alone is no item's.
    locals: BTreeSet<String>,
}

/// A crate's modules by their path from its root.
#[derive(Default)]
pub(super) struct Crate {
    modules: BTreeMap<Names, Module>,
    /// The module that is being read.
    at: Names,
}

/// What a file takes from another: from → to → names.
type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

impl Crate {
    /// The crate that begins in `root`.
    pub(super) fn read(root: &Path) -> Self {
        let mut all = Self::default();
        all.read_file(root);
        all
    }

    /// Each circle of files, as lines `file -> file: names`.
    pub(super) fn circles(&self) -> Vec<String> {
        let imports = self.imports();
        let reach: BTreeMap<&PathBuf, _> = imports.keys().map(|file| (file, reached(&imports, file))).collect();
        let leads_back = |to: &PathBuf, file| reach.get(to).is_some_and(|files| files.contains(file));
        let circle = |file| reach[file].iter().copied().filter(|to| leads_back(to, file)).collect();
        let circles: BTreeSet<BTreeSet<&PathBuf>> = imports.keys().map(circle).collect();
        circles.iter().filter(|c| !c.is_empty()).map(|circle| told(&imports, circle)).collect()
    }

    /// The types that other files of the crate can see: their names, and the files that define them.
    pub(super) fn types(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.modules.values().flat_map(|m| m.types.iter().map(|name| (name.as_str(), m.file.as_path())))
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (at, module) in &self.modules {
            let local = |path: &&Names| path.len() == 1 && module.locals.contains(&path[0]);
            for path in module.paths.iter().filter(|path| !local(path)) {
                if let Some((file, name)) = self.find(at, path, 8).filter(|(file, _)| *file != module.file) {
                    let from = imports.entry(module.file.clone()).or_default();
                    from.entry(file.to_owned()).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// The file that defines what `path` names in the module `at`, and the item's name there. `steps` bounds the re-exports.
    fn find(&self, at: &[String], path: &[String], steps: usize) -> Option<(&Path, String)> {
        let (name, rest) = path.split_first().filter(|_| steps > 0)?;
        match name.as_str() {
            "crate" => return self.find(&[], rest, steps),
            "self" => return self.find(at, rest, steps),
            "super" => return self.find(&at[..at.len() - 1], rest, steps),
            _ => {}
        }
        let module = self.modules.get(at)?;
        let child = joined(at, std::slice::from_ref(name));
        if !rest.is_empty() && self.modules.contains_key(&child) {
            return self.find(&child, rest, steps);
        }
        if module.items.contains(name) {
            return Some((&module.file, name.clone()));
        }
        let meant = |(used, stands_for): &(String, Names)| match used.as_str() {
            "*" => self.find(at, &joined(stands_for, path), steps - 1),
            _ if used == name => self.find(at, &joined(stands_for, rest), steps - 1),
            _ => None,
        };
        module.uses.iter().find_map(meant)
    }

    fn read_file(&mut self, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        self.here().file = file.to_owned();
        self.visit_file(&syn::parse_file(&text).unwrap());
    }

    fn here(&mut self) -> &mut Module {
        self.modules.entry(self.at.clone()).or_default()
    }

    fn used(&mut self, tree: &UseTree, prefix: &[String], hands_on: bool) {
        let (name, path) = match tree {
            UseTree::Path(p) => return self.used(&p.tree, &joined(prefix, &[p.ident.to_string()]), hands_on),
            UseTree::Group(group) => return group.items.iter().for_each(|t| self.used(t, prefix, hands_on)),
            UseTree::Name(n) if n.ident == "self" => (prefix.last().unwrap().clone(), prefix.to_owned()),
            UseTree::Name(n) => (n.ident.to_string(), joined(prefix, &[n.ident.to_string()])),
            UseTree::Rename(r) => (r.rename.to_string(), joined(prefix, &[r.ident.to_string()])),
            UseTree::Glob(_) => ("*".to_owned(), prefix.to_owned()),
        };
        if !hands_on {
            self.here().paths.insert(path.clone());
        }
        self.here().uses.push((name, path));
    }

    /// The paths in what a macro or an attribute was given, which may be no Rust expression.
    fn tokens(&mut self, mut cursor: Cursor<'_>) {
        let (mut path, mut colons) = (Names::new(), 0);
        while !cursor.eof() {
            if let Some((ident, next)) = cursor.ident() {
                if colons != 2 {
                    self.here().paths.insert(std::mem::take(&mut path));
                }
                path.push(ident.to_string());
                (colons, cursor) = (0, next);
            } else if let Some((_, next)) = cursor.punct().filter(|(punct, _)| punct.as_char() == ':') {
                (colons, cursor) = (colons + 1, next);
            } else {
                self.here().paths.insert(std::mem::take(&mut path));
                if let Some((inside, _, _, _)) = cursor.any_group() {
                    self.tokens(inside);
                }
                (colons, cursor) = (0, cursor.token_tree().unwrap().1);
            }
        }
        self.here().paths.insert(path);
    }
}

impl<'ast> Visit<'ast> for Crate {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes) = named(item);
        if attributes.iter().any(is_test) {
            return;
        }
        if let Some(name) = name.as_ref().filter(|_| is_visible_type(item)) {
            self.here().types.push(name.clone());
        }
        self.here().items.extend(name);
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if function.attrs.iter().any(is_test)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let file = self.here().file.clone();
        self.at.push(module.ident.to_string());
        if module.content.is_some() {
            self.here().file = file;
            visit::visit_item_mod(self, module);
        } else {
            self.read_file(&file_of(&file, &module.ident.to_string()));
        }
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let face = self.here().file.ends_with("mod.rs") || self.at.is_empty();
        self.used(&item.tree, &[], face && !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.here().locals.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.here().paths.insert(path.segments.iter().map(|s| s.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.tokens(TokenBuffer::new2(call.tokens.clone()).begin());
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.tokens(TokenBuffer::new2(list.tokens.clone()).begin());
    }
}

/// What an item is called, if it is something that a path can name, and its attributes.
fn named(item: &Item) -> (Option<String>, &[Attribute]) {
    let (name, attributes) = match item {
        Item::Const(i) => (Some(&i.ident), &i.attrs),
        Item::Enum(i) => (Some(&i.ident), &i.attrs),
        Item::Fn(i) => (Some(&i.sig.ident), &i.attrs),
        Item::Macro(i) => (i.ident.as_ref(), &i.attrs),
        Item::Static(i) => (Some(&i.ident), &i.attrs),
        Item::Struct(i) => (Some(&i.ident), &i.attrs),
        Item::Trait(i) => (Some(&i.ident), &i.attrs),
        Item::Type(i) => (Some(&i.ident), &i.attrs),
        Item::Impl(i) => (None, &i.attrs),
        Item::Mod(i) => (None, &i.attrs),
        Item::Use(i) => (None, &i.attrs),
        _ => return (None, &[]),
    };
    (name.map(ToString::to_string), attributes)
}

fn is_visible_type(item: &Item) -> bool {
    let visibility = match item {
        Item::Enum(i) => &i.vis,
        Item::Struct(i) => &i.vis,
        Item::Trait(i) => &i.vis,
        Item::Type(i) => &i.vis,
        _ => return false,
    };
    !matches!(visibility, Visibility::Inherited)
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test"))
}

/// The file of `mod name;` in `parent`.
fn file_of(parent: &Path, name: &str) -> PathBuf {
    let face = ["lib.rs", "main.rs", "mod.rs"].iter().any(|f| parent.ends_with(f));
    let folder = if face { parent.parent().unwrap().to_owned() } else { parent.with_extension("") };
    let file = folder.join(format!("{name}.rs"));
    if file.exists() { file } else { folder.join(name).join("mod.rs") }
}

fn joined(a: &[String], b: &[String]) -> Names {
    [a, b].concat()
}

/// All files that `from` takes something from, straight or through others.
fn reached<'a>(imports: &'a Imports, from: &'a PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(imports.get(file).into_iter().flat_map(BTreeMap::keys).filter(|to| found.insert(*to)));
    }
    found
}

fn told(imports: &Imports, circle: &BTreeSet<&PathBuf>) -> String {
    let mut lines = String::new();
    for from in circle {
        for (to, names) in imports[*from].iter().filter(|(to, _)| circle.contains(to)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            lines += &format!("  {} -> {}: {}\n", from.display(), to.display(), names.join(", "));
        }
    }
    lines
}
