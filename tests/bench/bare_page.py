"""The lowest floor: what gunicorn, Flask and a small Jinja page cost with nobody signed in."""

from flask import Flask, Response, make_response, render_template

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1>
<ul>{% for name, value in facts %}<li><b>{{ name }}</b> {{ value }}</li>{% endfor %}</ul>
</body></html>"""

app = Flask(__name__)
template = app.jinja_env.from_string(PAGE)  # compiled once, as a file of templates would be


@app.get("/")
def page() -> Response:
    facts = [("email", "person@example.com"), ("groups", "Admin, Manager"), ("role", "Admin")]
    return make_response(render_template(template, title="Bare page", facts=facts))
