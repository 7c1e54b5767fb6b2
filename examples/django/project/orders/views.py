"""The one page."""

from django.http import HttpRequest, HttpResponse

from orders.models import Order


def orders(request: HttpRequest) -> HttpResponse:
    """POST makes an order, GET tells how many there are."""
    if request.method == "POST":
        Order.objects.create(what=request.POST["what"])
    done = Order.objects.filter(done=True).count()
    text = f"{Order.objects.count()} ordered, {done} done\n"
    return HttpResponse(text, content_type="text/plain")
